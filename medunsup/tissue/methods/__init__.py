"""One file a method; see `medunsup.tissue.base.TissueMethod` for the contract."""
