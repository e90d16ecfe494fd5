"""Networks. With `training` the only place where `torch.nn` is found; nothing here reads or writes files."""
