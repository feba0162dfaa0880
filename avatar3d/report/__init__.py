"""What a person and a script read about an avatar: record, pictures, page, manifest."""
