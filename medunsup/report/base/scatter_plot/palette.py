"""Colours of classes and clusters, told apart without red or green cones (Okabe & Ito)."""

OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
UNKNOWN = "#8A8F98"
