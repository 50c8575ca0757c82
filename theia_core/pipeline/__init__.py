"""Commands of `theia` one after the other, resumable, their artefacts linked by hash."""
