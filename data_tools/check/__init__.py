"""What is wrong with a training folder, found before training; each finding says what to do."""
