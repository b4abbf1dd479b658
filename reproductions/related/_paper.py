"""What of RSD stands here: no paper that is re-derived. No table."""

from adcbench.tables.papers import Paper

PAPER = Paper(
    name="RSD",
    title="RSD (ICML 2026, arXiv 2503.13358v5)",
    related="RSD's GAN rows; NIQE of BSRGAN's figure",
)
