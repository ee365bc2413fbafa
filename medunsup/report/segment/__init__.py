"""The pages of `segment`: one a scan, one a folder."""
