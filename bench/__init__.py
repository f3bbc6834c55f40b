"""The benchmark: this pipeline beside other ways to carry the same rows. See bench/README.md."""
