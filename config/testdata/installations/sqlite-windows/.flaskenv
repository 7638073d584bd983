FLASK_APP=run.py
CORE_SERVICE_URL="http://localhost:5000"
