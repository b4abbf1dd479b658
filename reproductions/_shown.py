"""Cells that show what kinds of answers there are, in the order in which the README lists them."""

SHOWN = (
    ("adcsr/table1", "OSEDiff", "DRealSR", "PSNR"),
    ("adcsr/table1", "OSEDiff", "DRealSR", "SSIM"),
    ("adcsr/table1", "OSEDiff", "DRealSR", "NIQE"),
    ("adcsr/table_c2", "OSEDiff", "RealSR", "PSNR"),
    ("related/rsd_table17", "Real-ESRGAN", "DRealSR", "PSNR"),
    ("related/bsrgan_comparison", "ESRGAN", "RealSRSet", "NIQE (chip)"),
    ("adcsr/table1", "AdcSR", "complexity", "Params"),
    ("adcsr/table1", "AdcSR", "complexity", "MACs"),
    ("adcsr/table1", "OSEDiff", "complexity", "MACs"),
    ("adcsr/table1", "OSEDiff", "complexity", "Params"),
    ("adcsr/table1", "S3Diff", "complexity", "Params"),
    ("adcsr/table1", "DiffBIR", "complexity", "MACs"),
    ("adcsr/table1", "SeeSR", "complexity", "Params"),
    ("adcsr/table1", "PASD", "complexity", "Params"),
    ("adcsr/table1", "StableSR", "complexity", "MACs"),
    ("adcsr/table1", "ResShift", "complexity", "MACs"),
    ("adcsr/table1", "AdcSR", "complexity", "Time"),
    ("adcvsr/table1", "AdcVSR", "complexity", "Params"),
    ("adcvsr/table2", "2D + 1D (Ours)", "complexity", "Params"),
    ("adcsr/table1", "AdcSR", "DRealSR", "PSNR"),
)
