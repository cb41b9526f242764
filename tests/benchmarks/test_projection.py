"""The projection's arithmetic, and that the benchmarks it takes its numbers from still name them so."""

from tests.benchmarks import bench_build, bench_pdf, projection


def test_hours_and_gigabytes_by_hand():
    measured = {
        bench_pdf.PAGES_AN_ARTICLE: 10,
        bench_pdf.TWO: 40,  # 0.5 s of one core a PDF
        bench_build.FIRST: 30,
        bench_build.AGAIN: 10,  # 20 s of two cores for 400 articles: 0.1 s of one core a JATS package
        bench_build.WORK_KB: 1000,
        bench_build.DATASET_KB: 500,
    }
    text = projection.table(measured)
    # 42,673 * (0.5 * 0.5 + 0.5 * 0.1) s = 12,801.9 s of one core; assembling 42,673 * 10 / 400 s = 1,066.8 s
    assert "|     2 |      1.78 |      2.07 |" in text
    assert "|    64 |      0.06 |      0.35 |" in text
    assert "3.6 core h of reading" in text
    assert "18 minutes to assemble" in text
    assert "42.7 GB of records and 21.3 GB of dataset" in text
