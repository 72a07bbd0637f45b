"""The `hobbs` commands: options in, sentences and tables out; no SQL and no rule of the business."""
