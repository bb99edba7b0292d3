"""rate"""

from svcmetrics.rate.burden import burden as burden
from svcmetrics.rate.response import response as response
