"""What people see: widgets and formatting shared by the pages."""
