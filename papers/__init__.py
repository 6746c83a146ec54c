"""Documents that a customer keeps: invoices and credit notes, as a PDF and as a page."""
