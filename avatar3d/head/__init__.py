"""The parametric head: found by name, loaded, bent into anyone's shape and expression."""
