"""The Gemini API: client, uploads, request lines, result lines and what they mean, models and prices."""
