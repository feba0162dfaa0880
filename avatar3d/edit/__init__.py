"""What would this avatar look like otherwise? Colours, age, style and blends of people; what is not named stays."""
