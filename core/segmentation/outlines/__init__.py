"""From an engine's maps to outlines: threshold, split, fill, reject artefacts, trace contours."""
