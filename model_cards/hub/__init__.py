"""Everything the project says to the Hugging Face Hub when it publishes: preflight, one commit, check, tag.

    repo = Repo("my-org/my-dataset", "dataset", private=True)
    with session(repo, limit_s=3600):
        preflight(repo, card)  # cheap: token, rights, visibility, the card's YAML; before any heavy work
        done = commit(repo, files, managed=("README.md", "pairs/*.parquet"), message="…")
        tag(repo, done.sha, "v1")

Tokens come from `hf auth login` or the environment variable HF_TOKEN, never from an argument.
"""
