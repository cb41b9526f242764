"""What 42,673 articles (the paper's corpus) would take, from what was measured on this machine."""

from tests.benchmarks import bench_build, bench_pdf

ARTICLES = 42_673
PDF_SHARE = 0.5  # assumed: the others are JATS packages with pictures
CORES = (2, 64, 1024)
NEEDED = {
    bench_pdf.PAGES_AN_ARTICLE,
    bench_pdf.TWO,
    bench_build.FIRST,
    bench_build.AGAIN,
    bench_build.WORK_KB,
    bench_build.DATASET_KB,
}


def table(measured: dict[str, float]) -> str:
    """Hours for each number of cores, and storage. Assembling the dataset is one process's work whatever the cores."""
    pdf_core_s = measured[bench_pdf.PAGES_AN_ARTICLE] / (measured[bench_pdf.TWO] / 2)
    read_s = measured[bench_build.FIRST] - measured[bench_build.AGAIN]
    jats_core_s = read_s * bench_build.CORES / bench_build.ARTICLES
    assemble_s = measured[bench_build.AGAIN] / bench_build.ARTICLES * ARTICLES
    core_s = ARTICLES * (PDF_SHARE * pdf_core_s + (1 - PDF_SHARE) * jats_core_s)
    gigabytes = [measured[name] * ARTICLES / 1e6 for name in (bench_build.WORK_KB, bench_build.DATASET_KB)]
    rows = [f"| {n:>5} | {core_s / n / 3600:>9.2f} | {(core_s / n + assemble_s) / 3600:>9.2f} |" for n in CORES]
    return "\n".join(
        [
            f"Projected for {ARTICLES:,} articles, {PDF_SHARE:.0%} of them PDFs of "
            f"{measured[bench_pdf.PAGES_AN_ARTICLE]:.1f} pages, the rest JATS with pictures; cores like these, reading "
            "shared evenly (as two processes here share it), a file system that keeps up:",
            "",
            "| cores | reading, h | in all, h |",
            "| ----: | --------: | --------: |",
            *rows,
            "",
            f"{core_s / 3600:.1f} core h of reading ({pdf_core_s:.2f} s a PDF, {jats_core_s:.3f} s a JATS package), "
            f"{assemble_s / 60:.0f} minutes to assemble, on one core, at most (start-up counted in), "
            f"{gigabytes[0]:.1f} GB of records and {gigabytes[1]:.1f} GB of dataset at the sample's picture sizes.",
        ]
    )
