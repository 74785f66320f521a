"""The same feature work by several tools: seconds, CPU seconds and memory of whole processes."""
