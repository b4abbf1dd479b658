"""What AdcSR and the project's brief claim, and how each claim is tested. Committed before anything was trained.

No table: `adcbench claims` tests it (adcbench/results/ledger_claims.py says what the fields mean, docs/claims.md how
the tests work, what changed here since: notes, and one test withdrawn). A mini test compares the reference, ``adcsr``,
with one run that differs in one decision; what else that brings with it stands in the note. Margins are the brief's
where it has one; the others were chosen before training, and their reasons stand beside them. Where no source says
which way a difference goes, it is a question: the effect is shown and nothing is decided.

    adcbench claims
"""

from functools import partial

from adcbench.results.ledger_claims import LedgerClaim, MiniTest, Pair, Sure
from adcbench.tables import COMPLEXITY, Claim

Place = tuple[str, str, str]  # row, test set, metric
OF = "AdcSR and of the project's brief"
ABSTRACT = "AdcSR arXiv 2411.13383, abstract"
README = "AdcSR repository, README"
BRIEF = "project brief"
NO_SOURCE = "no source states a direction"

KEPT, REMOVED = "VAE encoder kept", "VAE encoder removed (AdcSR)"
BOTTLENECK, DIRECT = "Without connection optimisation", "With connection optimisation (AdcSR)"
DETAIL = ("FID", "MUSIQ", "MANIQA", "CLIPIQA")

FEATURES = "the feature distance stands in for LPIPS, whose weights are not here"
FIVE_PERCENT = f"{FEATURES}; 5 % is the brief's tolerance for student against teacher"
ANY_GAIN = f"{FEATURES}; any gain counts, so no margin"
ANY_DETAIL = "the feature distance stands in for the printed metrics, whose weights are not here; any gain counts"


on_drealsr = partial(MiniTest, test_set="DRealSR")


def _ratio(name: str, text: str, sure: Sure = "paper", source: str = ABSTRACT, note: str = "") -> LedgerClaim:
    """A printed ratio that Table 1 holds already."""
    return LedgerClaim(name, text, source, sure, "ratio", ratio=("adcsr/table1", text), note=note)


def _difference(name: str, text: str, printed: str, large: Place, small: Place) -> LedgerClaim:
    """A printed difference of two cells of Table 2."""
    claim = Claim(text, "difference", printed, large, small, BRIEF)
    return LedgerClaim(name, text, BRIEF, "brief", "ratio", ratio=("adcsr/table2", claim))


def _against_teacher(metric: str, test_set: str, table: str, margin: float = 0.0, relative: bool = False) -> Pair:
    return Pair(f"adcsr/{table}", test_set, metric, "AdcSR", "OSEDiff", margin, relative)


def _no_loss(name: str, statement: str, table: str, kept: str, ours: str, run: str = "", note: str = "") -> LedgerClaim:
    """A removable module, or a prunable width, goes without loss. Its tables print nothing that was seen."""
    pair = Pair(f"adcsr/{table}", "DRealSR", "LPIPS", ours, kept, 0.05, relative=True)
    mini = (on_drealsr("adcsr", run, "fd-efflite0", FIVE_PERCENT, 0.05, relative=True),) if run else ()
    source = f"{README}: redundant modules are removed, the others pruned while preserving performance"
    return LedgerClaim(name, statement, source, "repository", "non-inferiority", (pair,), None, mini, "structure", note)


def _question(name: str, statement: str, run: str, note: str = "") -> LedgerClaim:
    mini = (on_drealsr("adcsr", run, "fd-efflite0", FEATURES),)
    return LedgerClaim(name, statement, NO_SOURCE, "nobody", "question", mini=mini, note=note)


CLAIMS = (
    # Speed and size, as printed
    _ratio("speed-s3diff", "AdcSR: 9.3x faster than S3Diff, the slowest one-step method"),
    _ratio("speed-teacher", "AdcSR: 3.7x faster than its teacher", "second-hand", "sciencestack.ai page; brief",
           "The teacher's own paper (OSEDiff, Table 2) prints 0.35 s for itself on an A100, three times the 0.11 s "
           "that is printed beside AdcSR: 11.7 times AdcSR's 0.03 s (9.9 to 14.2 as printed). No source seen says in "
           "which precision either ran, or what the time holds."),
    _ratio("speed-stablesr", "AdcSR: 383x faster than StableSR", "brief", BRIEF),
    _ratio("time-73", "AdcSR: 73 % less inference time than OSEDiff",
           note="Against the 0.35 s that OSEDiff's own Table 2 prints, 91 % less."),
    _ratio("macs-78", "AdcSR: 78 % less computation than OSEDiff",
           note="Our count of OSEDiff holds the tagger's head, which the printed 2265 G do not; without it, 78.1 %."),
    _ratio("params-74", "AdcSR: 74 % fewer parameters than OSEDiff"),
    LedgerClaim(
        "fps-34", "AdcSR enlarges 34.79 images a second on an A100", BRIEF, "brief", "ratio",
        ratio=(
            "adcsr/table1",
            Claim(
                "34.79 FPS", "rate", "34.79", ("AdcSR", COMPLEXITY, "FPS"), ("AdcSR", COMPLEXITY, "Time"), BRIEF
            ),
        ),
        note="As printed: against the 0.03 s of Table 1, which alone allow 28.6 to 40 FPS.",
    ),
    # The student and its teacher
    LedgerClaim(
        "keeps-quality", "AdcSR keeps its teacher's quality at a quarter of the parameters and a fifth of the MACs",
        f"{ABSTRACT} (competitive recovery quality); margins: brief", "paper", "non-inferiority",
        (
            _against_teacher("PSNR", "DRealSR", "table1", 0.3),
            _against_teacher("LPIPS", "DRealSR", "table1", 0.05, relative=True),
            _against_teacher("DISTS", "DRealSR", "table1", 0.05, relative=True),
        ),
        mini=(
            on_drealsr("adcsr", "teacher", "psnr", "0.3 dB is the brief's tolerance for student against teacher", 0.3),
            on_drealsr("adcsr", "teacher", "fd-efflite0", FIVE_PERCENT, 0.05, relative=True),
        ),
        family="teacher",
        note="The quarter and the fifth are params-74 and macs-78; the mini student has 40 % of its teacher's "
        "parameters. The runs here are short: the student that is shipped saw nine times as many crops and is closer "
        "to its teacher (tables/adcsr_mini). The teacher is one run, the same at every seed.",
    ),
    LedgerClaim(
        "beats-teacher", "AdcSR is better than its teacher in LPIPS and DISTS", BRIEF, "brief", "superiority",
        tuple(
            _against_teacher(metric, test_set, table)
            for test_set, table in (("DRealSR", "table1"), ("RealSR", "table_c2"), ("DIV2K-Val", "table_c1"))
            for metric in ("LPIPS", "DISTS")
        ),
        mini=(on_drealsr("adcsr", "teacher", "fd-efflite0", ANY_GAIN),),
        family="teacher",
        note="The published rows of DRealSR contradict the brief: 0.3046 and 0.2200 are worse than OSEDiff's 0.2968 "
        "and 0.2165. The brief's own OSEDiff row (0.3087 and 0.2239) is in no other source.",
    ),
    # Structure
    LedgerClaim(
        "vae-encoder-psnr", "Removing the VAE encoder does not lower PSNR", BRIEF, "brief", "non-inferiority",
        (Pair("adcsr/table2", "DRealSR", "PSNR", REMOVED, KEPT, 0.05),),
        mini=(on_drealsr("adcsr", "vae-encoder", "psnr", "the brief's margin: 0.05 dB is not visible", 0.05),),
        family="structure",
        note="The encoder that the mini variant keeps is the teacher's, tuned on 20,000 crops of this very task; the "
        "reference must learn to do without in 3,600.",
    ),
    _difference(
        "vae-encoder-gain", "Removing the VAE encoder gains 0.13 dB", "0.13", (REMOVED, "DRealSR", "PSNR"),
        (KEPT, "DRealSR", "PSNR"),
    ),
    _difference(
        "vae-encoder-params", "Removing the VAE encoder saves 34 M parameters", "34", (KEPT, COMPLEXITY, "Params"),
        (REMOVED, COMPLEXITY, "Params"),
    ),
    LedgerClaim(
        "vae-encoder-time", "Removing the VAE encoder saves time", BRIEF, "brief", "superiority",
        (Pair("adcsr/table2", COMPLEXITY, "Time", REMOVED, KEPT),),
    ),
    LedgerClaim(
        "vae-encoder-macs", "Removing the VAE encoder saves computation", "follows from the brief's time", "brief",
        "counted", (Pair("adcsr/table2", COMPLEXITY, "MACs", REMOVED, KEPT),),
    ),
    LedgerClaim(
        "connection", "Joining UNet and decoder directly is better than through the 4-channel latent", BRIEF, "brief",
        "superiority", tuple(Pair("adcsr/table3", "DRealSR", metric, DIRECT, BOTTLENECK) for metric in DETAIL),
        mini=(on_drealsr("adcsr", "latent-link", "fd-efflite0", ANY_DETAIL),),
        family="structure",
        note="The mini latent is 16 channels wide, not 4: a milder bottleneck. It also keeps the pretrained layers on "
        "both sides, where the direct connection begins with repeated weights: a head start that a short run shows.",
    ),
    _no_loss(
        "unet-ratio", "Pruning the UNet to 75 % of its channels preserves quality", "ablation_unet_ratio",
        "UNet 100 %", "UNet 75 % (AdcSR)", "unet-100",
    ),
    _no_loss(
        "decoder-ratio", "Pruning the decoder to 50 % of its channels preserves quality", "ablation_decoder_ratio",
        "Decoder 100 %", "Decoder 50 % (AdcSR)", "decoder-100",
        "Stage 1 of the mini reference saw 16,000 crops; that of decoder-100 1,600, beginning with the whole decoder.",
    ),
    _no_loss(
        "cross-attention", "The cross-attention is redundant", "ablation_modules", "Cross-attention kept",
        "All removed (AdcSR)", note="Nothing at mini scale: with a text of one token that is all zeros, the layers "
        "only add a constant. The runs with them stand in adcsr_claims/mini.md.",
    ),
    _no_loss(
        "time-embedding", "The time embedding is redundant", "ablation_modules", "Time embedding kept",
        "All removed (AdcSR)", "time-embedding",
    ),
    _no_loss(
        "text-encoder", "The text encoder is redundant", "ablation_modules", "Text encoder kept",
        "All removed (AdcSR)", note="Nothing at mini scale: its teacher reads no text.",
    ),
    _no_loss(
        "prompt-extractor", "The prompt extractor is redundant", "ablation_modules", "Prompt extractor kept",
        "All removed (AdcSR)", note="Nothing at mini scale: its teacher reads no text.",
    ),
    # Training
    LedgerClaim(
        "decoder-pretraining", "Pretraining the pruned decoder helps", f"{ABSTRACT}: it restores the ability to decode",
        "paper", "superiority",
        tuple(
            Pair("adcsr/ablation_decoder_pretraining", "DRealSR", metric, "With pretraining (AdcSR)",
                 "Without pretraining") for metric in DETAIL
        ),
        mini=(on_drealsr("adcsr", "no-pretraining", "fd-efflite0", ANY_DETAIL),),
        family="training",
        note="Without stage 1 the decoder must learn in stage 2, so the mini variant has a loss on pixels there: L1, "
        "and the feature distance that this test measures, at five times its weight in stage 1.",
    ),
    LedgerClaim(
        "adversarial", "Adversarial distillation is better in detail than plain distillation",
        f"{ABSTRACT}: it compensates for performance loss; in detail: brief", "paper", "superiority",
        tuple(
            Pair("adcsr/ablation_adversarial", "DRealSR", metric, "Adversarial loss on features (AdcSR)",
                 "Without adversarial loss") for metric in DETAIL
        ),
        mini=(
            on_drealsr(
                "adcsr", "no-adversarial", "spectrum",
                "plain distillation averages detail away: power missing at high frequencies; any gain counts",
            ),
        ),
        family="training",
        note="Noise of the right spectrum scores well too: read the feature distance beside it. The discriminator "
        "trains for 300 steps, a thirteenth of the shipped student's.",
    ),
    LedgerClaim(
        "clip-gradient", "Clipping with a straight-through gradient is better than clipping without",
        "brief, from a note on the paper; the released code has no such clip", "second-hand", "superiority",
        mini=(
            on_drealsr(
                "clip-ste", "clip-hard", "psnr",
                "the gradient it restores pulls saturated pixels back, an error in pixels; any gain counts",
            ),
        ),
        family="training",
    ),
    # Questions
    _question("ask-bicubic-input", "What does another input change: bicubic enlargement, unshuffled?", "bicubic-input",
              "Which other inputs the authors tried is not known."),
    _question("ask-unet-50", "What does pruning the UNet to 50 % cost?", "unet-50"),
    _question("ask-one-stage", "What does training the decoder in stage 2, with the student, change?", "one-stage",
              "With a loss on pixels in stage 2, as in decoder-pretraining."),
    _question("ask-adversarial-weight", "What does a tenth of the adversarial weight change?", "adversarial-0.1"),
    _question("ask-patch-discriminator", "What does a PatchGAN in place of the UNet change?", "patch-discriminator",
              "It begins with random weights, and trains for 300 steps at the rate of the UNet's LoRA."),
    _question("ask-full-discriminator", "What does training all of the discriminator, not a LoRA, change?",
              "full-discriminator"),
    _question("ask-teacher-step", "What does a teacher run at t = 1 change?", "teacher-step-1",
              "A note on the paper mentions t = 1 with zero noise; the released code runs it at 999, the mini scale at "
              "200."),
    LedgerClaim(
        "ask-no-clip", "What does no clip at all change against the straight-through clip?", NO_SOURCE, "nobody",
        "question", mini=(on_drealsr("clip-ste", "clip-none", "psnr", "as the claim about the clip's gradient"),),
    ),
)  # fmt: skip
