"""Who may come in: brake on guessing, second step, log-in services (OpenID Connect), and what is pending."""
