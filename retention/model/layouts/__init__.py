"""How recorders name their files: templates, presets, and what a name dates."""
