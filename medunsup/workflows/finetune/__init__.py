"""`finetune`: a pretrained encoder learns a task from labels, beside the same without pretraining."""
