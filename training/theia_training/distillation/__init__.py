"""Distillation of Theia from stored teacher features."""
