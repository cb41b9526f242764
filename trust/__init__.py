"""What a stranger's file may do, decided once: ground that every other package stands on, and that imports none."""
