"""The steps between a plan and pictures in their folders, each a function of paths and values, safe to run again."""
