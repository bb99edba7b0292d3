"""A small Spark on this machine, for tests: without pyspark or Java there is none, and a reason."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

OLDEST_JAVA = 17
# One thread, no compiling of queries, a light compiler of Java: small tables need no more, and two
# busy cores have better things to do. The zone is one that would show if anything looked at it.
_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xss4m"
_CONF = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.extraJavaOptions": _JAVA,
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "1g",
    "spark.log.level": "ERROR",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.session.timeZone": "Asia/Shanghai",
    "spark.sql.shuffle.partitions": "1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


def missing() -> str:
    """Why there can be no Spark here; empty when there can."""
    if importlib.util.find_spec("pyspark") is None:
        return "pyspark is not installed: python3 dev.py test --spark"
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home, "bin")) if home else None)
    if not java:
        return "Spark needs Java, and there is none"
    said = subprocess.run([java, "-version"], capture_output=True, text=True).stderr
    version = re.search(r'version "(\d+)', said)
    if not version or int(version[1]) < OLDEST_JAVA:
        return f"Spark needs Java {OLDEST_JAVA} or newer"
    return ""


def session(folder: Path) -> Any:
    """A session whose files stay in this folder."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[1]").appName("svcmetrics")
    places = {"spark.local.dir": folder, "spark.sql.warehouse.dir": folder / "warehouse"}
    for key, value in {**_CONF, **places}.items():
        builder = builder.config(key, str(value))
    return builder.getOrCreate()


def on_spark(session: Any, frame: pd.DataFrame) -> Any:
    """A pandas frame as one of Spark; a column of times without a zone has none there either."""
    from pyspark.sql.pandas.types import from_arrow_type
    from pyspark.sql.types import StructField, StructType, TimestampNTZType

    table = pa.Table.from_pandas(frame, preserve_index=False)
    fields = [
        StructField(
            f.name, TimestampNTZType() if f.type == pa.timestamp("us") else from_arrow_type(f.type)
        )
        for f in table.schema
    ]
    return session.createDataFrame(table, schema=StructType(fields))
