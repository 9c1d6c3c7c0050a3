"""A report three times: report.json for programs, report.md for the terminal, report.html for people."""
