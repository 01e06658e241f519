-- How long somebody looked at a result before they said something of it; null where that is not known.
ALTER TABLE review ADD COLUMN seconds DOUBLE;
