"""The nodes; each is a thin shell around theia_core. `main` of a module is what ros2 and `theia up` start."""
