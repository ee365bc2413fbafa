"""The pages of `detect`: one a scan, one a folder."""
