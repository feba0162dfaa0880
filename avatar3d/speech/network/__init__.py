"""The speech network: what it hears, its step in numpy, torch and ONNX, and golden vectors."""
