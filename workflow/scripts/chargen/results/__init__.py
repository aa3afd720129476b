"""Result lines of a batch: found in the file, judged, and made into pictures."""
