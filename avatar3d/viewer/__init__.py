"""The web page that shows an avatar: its own program (web/, TypeScript), built into dist/ and served by the bridge."""
