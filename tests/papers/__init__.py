"""Invoices, receipts and charts as documents."""
