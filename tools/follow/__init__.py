"""How the net that reads expressions from videos (avatar3d/fit/data) was trained: people, pictures of them, training."""
