"""Readers and writers: the recording format, public data sets, video, configuration."""
