"""The judge: reads gold and prediction as equals and says what is right and how sure it is."""
