document.documentElement.classList.add("js-enabled", "govuk-frontend-supported");
