"""Families of models, one per file: scikit-learn estimators of sparse rows with a margin."""
