"""Makes scenarios: benign traffic of a site, and attacks in several strengths and disguises. Seeded."""
