-- The engine and the settings that somebody accepted for one image; null where it follows its project.
ALTER TABLE image ADD COLUMN own_engine VARCHAR;
ALTER TABLE image ADD COLUMN own_params VARCHAR;
