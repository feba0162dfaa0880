"""Tables between the names that programs give to the parts of a face, each with its measured error; numpy only."""
