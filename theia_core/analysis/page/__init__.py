"""Self-contained HTML pages: pictures are embedded, nothing is fetched."""
