"""What tests share: made-up scans, results and models, and fixtures that every folder sees."""
