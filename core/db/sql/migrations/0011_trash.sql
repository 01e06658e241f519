-- Who deleted an image or a project, where that is known.
ALTER TABLE image ADD COLUMN deleted_by VARCHAR;
ALTER TABLE project ADD COLUMN deleted_by VARCHAR;
