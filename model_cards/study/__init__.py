"""Everything that a study made, published together: `ldrt publish --study FOLDER`."""
