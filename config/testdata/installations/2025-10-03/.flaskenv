FLASK_APP=run.py
FLASK_ENV=development
CORE_SERVICE_URL=http://localhost:5000
