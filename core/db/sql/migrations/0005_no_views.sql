-- Lists read their columns from the table: the statements have them from core/listing/image_columns.py.

DROP VIEW IF EXISTS image_row;
