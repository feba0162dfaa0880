"""What each platform asks of a file: rules as data and functions, each with its source."""
