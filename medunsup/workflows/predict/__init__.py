"""`predict`: a fine-tuned network is put to use on new scans."""
